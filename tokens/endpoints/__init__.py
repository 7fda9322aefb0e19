"""The protocol's endpoints, on a tenant's own host: one file each."""
