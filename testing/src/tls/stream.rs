//! Real TLS, for the real Envoy.

use std::{io, net::Ipv4Addr, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client, rustls,
    rustls::{
        ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
        server::{
            WebPkiClientVerifier,
            danger::{ClientCertVerified, ClientCertVerifier},
        },
        version::{TLS12, TLS13},
    },
    server,
};

use super::{Authority, Client, Clients, Tls};

/// Connects as a client that takes any server.
pub(crate) async fn connect(stream: TcpStream, client: &Client) -> io::Result<client::TlsStream<TcpStream>> {
    // An address is not named in the handshake.
    let name = match client.server_name.as_str() {
        "" => ServerName::IpAddress(Ipv4Addr::LOCALHOST.into()),
        name => ServerName::try_from(name.to_owned()).unwrap_or_else(|_| panic!("not the name of a server: {name:?}")),
    };
    TlsConnector::from(client.sessions.config(|| config(client))).connect(name, stream).await
}

fn config(client: &Client) -> ClientConfig {
    let versions = if client.old { &[&TLS12] } else { &[&TLS13] };
    let config = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).expect("they are versions of TLS");
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(TakesAny));
    match &client.certificate {
        None => config.with_no_client_auth(),
        Some(certificate) => {
            let (chain, key) = certificate.der();
            config.with_client_auth_cert(chain, key).expect("a certificate and its key")
        }
    }
}

/// Accepts a client.
pub(crate) async fn accept(stream: TcpStream, tls: &Tls) -> io::Result<server::TlsStream<TcpStream>> {
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().expect("there are some");
    let config = match tls.clients {
        Clients::Unasked => config.with_no_client_auth(),
        Clients::Untrusted => config.with_client_cert_verifier(Arc::new(TakesAny)),
        Clients::Optional | Clients::Required => {
            let mut roots = RootCertStore::empty();
            roots.add(Authority::Trusted.der()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            let verifier = if tls.clients == Clients::Optional { verifier.allow_unauthenticated() } else { verifier };
            config.with_client_cert_verifier(verifier.build().expect("there is a root"))
        }
    };
    let (chain, key) = tls.certificate.der();
    let config = config.with_single_cert(chain, key).expect("a certificate and its key");
    TlsAcceptor::from(Arc::new(config)).accept(stream).await
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Takes any certificate whose owner has its key.
#[derive(Debug)]
struct TakesAny;

fn schemes() -> Vec<SignatureScheme> {
    ring::default_provider().signature_verification_algorithms.supported_schemes()
}

/// Signatures are verified, of whomever the certificate is.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            of: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls12_signature(message, of, signed, &provider().signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            of: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls13_signature(message, of, signed, &provider().signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            schemes()
        }
    };
}

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    signatures!();
}

impl ClientCertVerifier for TakesAny {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: UnixTime) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    signatures!();
}
