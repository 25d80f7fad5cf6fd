//! One message said in the other era. What a message carries stays byte for byte; what an era says
//! about its messages is written anew.

pub mod legacy_client;
