"""The course as a web site: `make site` builds it from the stored notebooks, without a network."""
