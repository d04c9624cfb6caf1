"""The workflow: a folder opened, validated, planned, applied, waited for and recorded."""
