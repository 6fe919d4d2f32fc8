"""Study a model: sweeps over layers and widths, and grids of poolings."""
