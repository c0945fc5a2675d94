"""Arrays and frames in, results out; knows nothing of tables or files."""

import os

# Threads of LightGBM and scikit-learn otherwise spin while they wait: on a busy machine that is many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
