//! Detached SSH signatures, as `ssh-keygen -Y sign` makes them. In: a private key and bytes, or a signature and bytes. Out: the signature, or who made
//! it.

use super::error::Unfit;
use super::signers::Signers;
use chrono::{DateTime, Utc};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

/// What the signature is for: one for another purpose is no attestation.
pub const NAMESPACE: &str = "backup-attestation.migrate.v1";

/// Why a private key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is no private key in OpenSSH's form.
    #[error("this is no private SSH key: {0}")]
    Malformed(ssh_key::Error),
    /// It has a passphrase.
    #[error("this key has a passphrase, which this program does not ask for")]
    Encrypted,
    /// It is an RSA key: `ssh-key` 0.6 cannot sign with one, and the `rsa` crate's private operations leak by their time (RUSTSEC-2023-0071).
    #[error("this is an RSA key, whose signatures are read here but not made")]
    Rsa,
    /// It is of a kind that cannot sign here, such as one on a token.
    #[error("this key cannot sign here: {0}")]
    Unable(ssh_key::Error),
}

/// Signs `bytes` with the private key `key`, and gives the signature as text. The key's public half is given too, as `allowed_signers` has it.
///
/// # Errors
/// [`KeyError`].
pub fn sign(key: &[u8], bytes: &[u8]) -> Result<(String, PublicKey), KeyError> {
    let key = PrivateKey::from_openssh(key).map_err(KeyError::Malformed)?;
    if key.is_encrypted() {
        return Err(KeyError::Encrypted);
    }
    if key.algorithm().is_rsa() {
        return Err(KeyError::Rsa);
    }
    let signature = key.sign(NAMESPACE, HashAlg::Sha512, bytes).map_err(KeyError::Unable)?;
    Ok((signature.to_pem(LineEnding::LF).map_err(KeyError::Unable)?, key.public_key().clone()))
}

/// Whether somebody in `signers` who may sign for `issuer` at `now` signed exactly `bytes`.
///
/// # Errors
/// [`Unfit`]: what is wrong with the signature or the signer.
pub(super) fn verify(bytes: &[u8], signature: &[u8], signers: &Signers, issuer: &str, now: DateTime<Utc>) -> Result<(), Unfit> {
    let signature = SshSig::from_pem(signature).map_err(|error| Unfit::NoSignature(error.to_string()))?;
    if signature.namespace() != NAMESPACE {
        return Err(Unfit::Namespace(signature.namespace().to_owned()));
    }
    let key = PublicKey::from(signature.public_key().clone());
    if let Err(why) = signers.allow(signature.public_key(), issuer, NAMESPACE, now) {
        return Err(Unfit::Signer { key: key.fingerprint(HashAlg::Sha256).to_string(), issuer: issuer.to_owned(), why });
    }
    key.verify(NAMESPACE, bytes, &signature).map_err(|_| Unfit::Changed)
}
