"""Study a model by sweeps over layers and widths, and by grids of poolings."""
