"""Encode with Perception Encoder Core (Bolya et al., 2025): two towers, frames one by one."""
