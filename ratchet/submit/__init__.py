"""Where a compiled pipeline runs. The only floor, with the catalogue, that imports kfp."""
