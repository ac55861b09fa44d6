"""Who works: names of workers, whether they live, and what ends them."""
