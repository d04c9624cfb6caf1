"""Tests of the embedded API, by its rooms; `lab` has the emulator that they share."""
