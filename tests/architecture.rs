//! The structure of the program, as tests.
