"""Indexes on an Elasticsearch cluster."""
