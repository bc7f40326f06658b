"""ads: describe an environment once; ads deploys it, watches it and moves its users."""

__version__ = "0.1.0"
