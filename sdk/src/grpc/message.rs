use super::GrpcError;

/// What is sent and received: every [`prost`] message is one, and [`Raw`].
pub trait Message: Sized {
    /// The message as it is on the wire, without gRPC's frame.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`GrpcError::Decode`] if the bytes are of another message.
    fn from_bytes(bytes: &[u8]) -> Result<Self, GrpcError>;
}

/// A message as its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Raw(pub Vec<u8>);

impl<T: prost::Message + Default> Message for T {
    fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, GrpcError> {
        Self::decode(bytes).map_err(|error| GrpcError::Decode(error.to_string()))
    }
}

impl Message for Raw {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, GrpcError> {
        Ok(Self(bytes.to_vec()))
    }
}
