"""The pages: campaigns, candidates, the database, generators and schedules in a browser."""
