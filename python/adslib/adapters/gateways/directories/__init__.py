"""What gateways share whose machines are directories of this host: orders, locks, records, snapshots, addresses."""
