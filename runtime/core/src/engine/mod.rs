//! Runs a script.
