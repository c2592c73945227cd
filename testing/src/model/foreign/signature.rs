//! Signatures, with `ring`: RSA keys (PKCS #1 v1.5), and EC keys on P-256 and P-384.
//!
//! Beside Envoy it lacks SHA-224, and signing with SHA-1 and with a hash that is not the curve's own.

use inproxy::abi::Status;
use prost::Message;
use ring::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm},
};
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer, pem::PemObject};

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`.
#[derive(Clone, PartialEq, Message)]
struct Verify {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(bytes, tag = "2")]
    key: Vec<u8>,
    #[prost(bytes, tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes, tag = "4")]
    text: Vec<u8>,
    #[prost(bytes, tag = "5")]
    pem: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`.
#[derive(Clone, PartialEq, Message)]
struct Verified {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(string, tag = "2")]
    error: String,
}

/// `envoy.source.extensions.common.wasm.SignArguments`.
#[derive(Clone, PartialEq, Message)]
struct Sign {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(bytes, tag = "2")]
    key: Vec<u8>,
    #[prost(bytes, tag = "3")]
    text: Vec<u8>,
    #[prost(bytes, tag = "4")]
    pem: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.SignResult`.
#[derive(Clone, PartialEq, Message)]
struct Signed {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(bytes, tag = "2")]
    signature: Vec<u8>,
    #[prost(string, tag = "3")]
    error: String,
}

/// A public key, as `ring` takes it.
enum PublicKey {
    Rsa(Vec<u8>),
    P256(Vec<u8>),
    P384(Vec<u8>),
}

const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x2b\x81\x04\x00\x22";

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;
const BITS: u8 = 0x03;

const HASHES: [&str; 5] = ["sha1", "sha224", "sha256", "sha384", "sha512"];

pub(super) fn verify(argument: &[u8]) -> Result<Vec<u8>, Status> {
    let arguments = Verify::decode(argument).map_err(|_| Status::BAD_ARGUMENT)?;
    one_of(&arguments.key, &arguments.pem)?;
    let error = verified(&arguments).err().unwrap_or_default();
    Ok(Verified { result: error.is_empty(), error }.encode_to_vec())
}

pub(super) fn sign(argument: &[u8]) -> Result<Vec<u8>, Status> {
    let arguments = Sign::decode(argument).map_err(|_| Status::BAD_ARGUMENT)?;
    one_of(&arguments.key, &arguments.pem)?;
    let result = match signed(&arguments) {
        Ok(signature) => Signed { result: true, signature, error: String::new() },
        Err(error) => Signed { result: false, signature: Vec::new(), error },
    };
    Ok(result.encode_to_vec())
}

/// A key is given in one form, not in both.
fn one_of(key: &[u8], pem: &[u8]) -> Result<(), Status> {
    if key.is_empty() == pem.is_empty() { Err(Status::BAD_ARGUMENT) } else { Ok(()) }
}

/// The hash function, in lower case.
fn hash(name: &str) -> Result<String, String> {
    let hash = name.to_ascii_lowercase();
    if HASHES.contains(&&*hash) { Ok(hash) } else { Err(format!("{name} is not supported.")) }
}

fn verified(arguments: &Verify) -> Result<(), String> {
    let hash = hash(&arguments.hash)?;
    let der = if arguments.pem.is_empty() {
        Some(arguments.key.clone())
    } else {
        SubjectPublicKeyInfoDer::from_pem_slice(&arguments.pem).ok().map(|der| der.to_vec())
    };
    let key = der.and_then(|der| public_key(&der)).ok_or("Failed to initialize digest verify.")?;
    let (algorithm, key): (&'static dyn VerificationAlgorithm, _) = match (key, &*hash) {
        (PublicKey::Rsa(key), "sha1") => (&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, key),
        (PublicKey::Rsa(key), "sha256") => (&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key),
        (PublicKey::Rsa(key), "sha384") => (&signature::RSA_PKCS1_2048_8192_SHA384, key),
        (PublicKey::Rsa(key), "sha512") => (&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, key),
        (PublicKey::P256(key), "sha256") => (&signature::ECDSA_P256_SHA256_ASN1, key),
        (PublicKey::P256(key), "sha384") => (&signature::ECDSA_P256_SHA384_ASN1, key),
        (PublicKey::P384(key), "sha256") => (&signature::ECDSA_P384_SHA256_ASN1, key),
        (PublicKey::P384(key), "sha384") => (&signature::ECDSA_P384_SHA384_ASN1, key),
        _ => return Err(format!("the model of Envoy has no {hash} for this key")),
    };
    let verified = UnparsedPublicKey::new(algorithm, key).verify(&arguments.text, &arguments.signature);
    verified.map_err(|_| "Failed to verify digest. Error code: 0".to_owned())
}

fn signed(arguments: &Sign) -> Result<Vec<u8>, String> {
    const NO_KEY: &str = "Invalid key type: private key required for signing operation.";
    let hash = hash(&arguments.hash)?;
    let key = if arguments.pem.is_empty() {
        PrivateKeyDer::Pkcs8(arguments.key.clone().into())
    } else {
        PrivateKeyDer::from_pem_slice(&arguments.pem).map_err(|_| NO_KEY)?
    };
    let missing = || format!("the model of Envoy cannot sign with {hash} and this key");
    let random = SystemRandom::new();
    let rsa = match &key {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
        _ => None,
    };
    if let Some(rsa) = rsa {
        let padding: &'static dyn signature::RsaEncoding = match &*hash {
            "sha256" => &signature::RSA_PKCS1_SHA256,
            "sha384" => &signature::RSA_PKCS1_SHA384,
            "sha512" => &signature::RSA_PKCS1_SHA512,
            _ => return Err(missing()),
        };
        let mut signature = vec![0; rsa.public().modulus_len()];
        rsa.sign(padding, &random, &arguments.text, &mut signature).map_err(|_| "Failed to create signature.")?;
        return Ok(signature);
    }
    let PrivateKeyDer::Pkcs8(key) = &key else { return Err(missing()) };
    for (curve, of) in [(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, "sha256"), (&signature::ECDSA_P384_SHA384_ASN1_SIGNING, "sha384")] {
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(curve, key.secret_pkcs8_der(), &random) {
            if hash != of {
                return Err(missing());
            }
            return key
                .sign(&random, &arguments.text)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| "Failed to create signature.".to_owned());
        }
    }
    Err(NO_KEY.to_owned())
}

/// The key in a SubjectPublicKeyInfo: what follows behind it is ignored.
fn public_key(der: &[u8]) -> Option<PublicKey> {
    let (info, _) = element(der, SEQUENCE)?;
    let (algorithm, rest) = element(info, SEQUENCE)?;
    let (object, parameters) = element(algorithm, OBJECT)?;
    let (bits, _) = element(rest, BITS)?;
    let key = bits.strip_prefix(&[0])?.to_vec();
    match object {
        RSA => Some(PublicKey::Rsa(key)),
        EC => match element(parameters, OBJECT)?.0 {
            P256 => Some(PublicKey::P256(key)),
            P384 => Some(PublicKey::P384(key)),
            _ => None,
        },
        _ => None,
    }
}

/// The contents of an element of DER, and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        length if *length < 0x80 => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
