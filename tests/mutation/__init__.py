"""The tests are tested: small mistakes in the code that the promises rest on, each of which a test has to notice."""
