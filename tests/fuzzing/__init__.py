"""What any input must do, for two drivers: hypothesis within the tests, atheris by `make fuzz`."""
