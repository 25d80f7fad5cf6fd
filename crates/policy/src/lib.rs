//! The decision: Cedar policies over the world, and the permit that only a decision makes.
