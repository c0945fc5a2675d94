"""What is learned and judged in time order: folds, the recipe, tree sizes, champion against challenger."""
