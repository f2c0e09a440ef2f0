"""syncd keeps an 8x8 Contact Center dynamic campaign in step with a company's own customer database."""

__version__ = "0.1.0"
