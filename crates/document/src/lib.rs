//! Documents that people write, read with places.
