"""Configuration: typed models, and a reader whose errors name file, line and a remedy."""
