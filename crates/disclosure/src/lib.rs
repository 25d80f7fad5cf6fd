//! What a call would reveal: bindings, recognition, families and inferences.
