"""What moves campaigns on: in this process or by workers, and what recovers after a kill."""
