"""The funnel: stages that judge a candidate, from cheap to costly."""
