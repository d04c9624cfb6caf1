"""GitHub and GitLab as far as the CI templates need them: repositories, runners and their APIs."""
