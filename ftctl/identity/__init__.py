"""What a forge says of the job that runs in; a key of a service that is good for an hour, out."""
