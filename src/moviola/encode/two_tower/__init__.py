"""Encode with CLIP, SigLIP, SigLIP 2 and MetaCLIP 2."""
