"""Evidence of licences -> SPDX expressions."""
