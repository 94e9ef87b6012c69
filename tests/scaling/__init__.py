"""More than one machine: a pooler, standbys, fail-over, replicas, partitions."""
