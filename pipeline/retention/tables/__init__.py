"""The retention tables, a file each: see `pipeline.retention.table` for what a file declares."""
