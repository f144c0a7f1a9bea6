//! Private keys and certificates, out of the random bytes and the time that were handed in.
//!
//! Keys of type DSA are neither made nor read, nor are those of curves other than P-256. Sources: sprig 3.3.0, `crypto.go`.

use std::convert::Infallible;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use p256::SecretKey as EcKey;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use pem::Pem;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd, string::Ia5String,
};
use rsa::PrivateKey as RsaKey;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::rand_core::{TryCryptoRng, TryRng};

use super::date::now;
use super::encoding::unbase64;
use super::math::{entropy, random};
use super::{bytes, fixed, int, text};
use crate::execute::{Failure, Function, Param, World};
use crate::order::Entropy;
use crate::value::{Field, Struct, Value, plain, quote};

const INT: Param = Param::Int;
const LIST: Param = Param::List;
const TEXT: Param = Param::Text;
const CERTIFICATE: Param = Param::Struct(TYPE);

/// The Go type of a certificate with its key.
const TYPE: &str = "sprig.certificate";
/// How many steps making one bit of an RSA key counts for: a key of 4096 bits takes about a second.
const STEPS_PER_BIT: usize = 20;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
/// The last second that a certificate can name.
const LAST: i64 = 253_402_300_799;
/// A private key of Ed25519 in PKCS #8, up to its 32 bytes (RFC 8410, section 7).
const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("genPrivateKey", &[TEXT], |world, args| {
            Ok(Value::text(match &*text(args, 0) {
                "" | "rsa" => Key::rsa(world, 4096)?.pem,
                "ecdsa" => Key::ecdsa(world)?.pem,
                "ed25519" => Key::ed25519(world)?.pem,
                "dsa" => return Err(no_dsa()),
                other => format!("Unknown type {other}"),
            }))
        }),
        fixed("buildCustomCert", &[TEXT, TEXT], |_, args| {
            let certificate = unbase64(&bytes(args, 0)).map_err(|_| "unable to decode base64 certificate")?;
            let key = unbase64(&bytes(args, 1)).map_err(|_| "unable to decode base64 private key")?;
            let (certificate, key) = (String::from_utf8_lossy(&certificate), String::from_utf8_lossy(&key));
            let block = block(&certificate)?;
            let signer = Key::read(&key).map_err(|failure| failure.wrapped("error parsing private key"))?;
            issuer(block, signer)?;
            Ok(shown(&certificate, &key))
        }),
        fixed("genCA", &[TEXT, INT], |world, args| {
            let wanted = Wanted::of(world, &args[0], &args[1], None)?;
            wanted.for_authority().signed_by_itself(&Key::rsa(world, 2048)?)
        }),
        fixed("genCAWithKey", &[TEXT, INT, TEXT], |world, args| {
            let wanted = Wanted::of(world, &args[0], &args[1], None)?;
            wanted.for_authority().signed_by_itself(&Key::given(&args[2])?)
        }),
        fixed("genSelfSignedCert", &[TEXT, LIST, LIST, INT], |world, args| {
            let wanted = Wanted::of(world, &args[0], &args[3], Some([&args[1], &args[2]]))?;
            wanted.signed_by_itself(&Key::rsa(world, 2048)?)
        }),
        fixed("genSelfSignedCertWithKey", &[TEXT, LIST, LIST, INT, TEXT], |world, args| {
            let wanted = Wanted::of(world, &args[0], &args[3], Some([&args[1], &args[2]]))?;
            wanted.signed_by_itself(&Key::given(&args[4])?)
        }),
        fixed("genSignedCert", &[TEXT, LIST, LIST, INT, CERTIFICATE], |world, args| {
            let wanted = Wanted::of(world, &args[0], &args[3], Some([&args[1], &args[2]]))?;
            wanted.signed_by(&args[4], &Key::rsa(world, 2048)?)
        }),
        fixed("genSignedCertWithKey", &[TEXT, LIST, LIST, INT, CERTIFICATE, TEXT], |world, args| {
            let wanted = Wanted::of(world, &args[0], &args[3], Some([&args[1], &args[2]]))?;
            wanted.signed_by(&args[4], &Key::given(&args[5])?)
        }),
    ]
}

fn no_dsa() -> Failure {
    Failure::bound("keys of type dsa are neither made nor read by the built-in renderer; use the helm binary")
}

/// The random bytes that were handed in, as a source of keys.
struct Source<'e>(&'e Entropy<'e>);

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut four = [0; 4];
        self.0(&mut four);
        Ok(u32::from_le_bytes(four))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut eight = [0; 8];
        self.0(&mut eight);
        Ok(u64::from_le_bytes(eight))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}

/// A private key.
struct Key {
    /// As sprig writes it: PKCS #1 for RSA, SEC 1 for ECDSA, PKCS #8 for the rest.
    pem: String,
    pair: KeyPair,
}

impl Key {
    fn rsa(world: &World<'_>, bits: usize) -> Result<Self, Failure> {
        world.step(bits * STEPS_PER_BIT)?;
        let key = RsaKey::new(&mut Source(entropy(world)?), bits).map_err(|error| error.to_string())?;
        Self::of_rsa(&key)
    }

    fn ecdsa(world: &World<'_>) -> Result<Self, Failure> {
        // Nearly every 32 bytes are a key.
        loop {
            world.step(1)?;
            if let Ok(key) = EcKey::from_slice(&random(world, 32)?) {
                return Self::of_ecdsa(&key);
            }
        }
    }

    fn ed25519(world: &World<'_>) -> Result<Self, Failure> {
        Self::of_other([&ED25519[..], &random(world, 32)?].concat())
    }

    fn of_rsa(key: &RsaKey) -> Result<Self, Failure> {
        let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|error| error.to_string())?.to_string();
        let whole = key.to_pkcs8_der().map_err(|error| error.to_string())?;
        Ok(Self { pem, pair: pair(whole.as_bytes())? })
    }

    fn of_ecdsa(key: &EcKey) -> Result<Self, Failure> {
        let pem = key.to_sec1_pem(LineEnding::LF).map_err(|error| error.to_string())?.to_string();
        let whole = key.to_pkcs8_der().map_err(|error| error.to_string())?;
        Ok(Self { pem, pair: pair(whole.as_bytes())? })
    }

    fn of_other(whole: Vec<u8>) -> Result<Self, Failure> {
        Ok(Self { pair: pair(&whole)?, pem: written("PRIVATE KEY", whole) })
    }

    /// The key of an argument.
    fn given(value: &Value) -> Result<Self, Failure> {
        Self::read(&plain(value)).map_err(|failure| failure.wrapped("parsing private key"))
    }

    fn read(text: &str) -> Result<Self, Failure> {
        let block = pem::parse(text).map_err(|_| "no PEM data in input")?;
        let bytes = block.contents();
        match block.tag() {
            "PRIVATE KEY" => RsaKey::from_pkcs8_der(bytes).map_or_else(
                |_| match EcKey::from_pkcs8_der(bytes) {
                    Ok(key) => Self::of_ecdsa(&key),
                    Err(_) => {
                        Self::of_other(bytes.to_vec()).map_err(|failure| failure.wrapped("decoding PEM as PKCS#8"))
                    }
                },
                |key| Self::of_rsa(&key),
            ),
            "RSA PRIVATE KEY" => match RsaKey::from_pkcs1_der(bytes) {
                Ok(key) => Self::of_rsa(&key),
                Err(error) => Err(format!("parsing RSA private key from PEM: {error}").into()),
            },
            "EC PRIVATE KEY" => match EcKey::from_sec1_der(bytes) {
                Ok(key) => Self::of_ecdsa(&key),
                Err(error) => Err(format!("parsing EC private key from PEM: {error}").into()),
            },
            "DSA PRIVATE KEY" => Err(no_dsa()),
            tag => Err(tag.strip_suffix(" PRIVATE KEY").map_or_else(
                || format!("no private key data in PEM block of type {tag}"),
                |sort| format!("invalid private key type {sort}"),
            ))?,
        }
    }
}

fn pair(whole: &[u8]) -> Result<KeyPair, Failure> {
    KeyPair::try_from(whole).map_err(|error| format!("a key that cannot sign here: {error}").into())
}

fn written(tag: &str, bytes: Vec<u8>) -> String {
    pem::encode_config(&Pem::new(tag, bytes), pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF))
}

/// A certificate and its key, as templates see them.
fn shown(certificate: &str, key: &str) -> Value {
    let field = |name: &'static str, text: &str| Field { name, json: name, value: Value::text(text) };
    Value::Struct(Rc::new(Struct { name: TYPE, fields: vec![field("Cert", certificate), field("Key", key)] }))
}

/// The block of PEM that a certificate is.
fn block(certificate: &str) -> Result<Pem, Failure> {
    pem::parse(certificate).map_err(|_| "unable to decode certificate".into())
}

/// What signs, of a certificate and its key.
fn issuer(block: Pem, key: Key) -> Result<Issuer<'static, KeyPair>, Failure> {
    Issuer::from_ca_cert_der(&block.into_contents().into(), key.pair)
        .map_err(|error| format!("error parsing certificate: {error}").into())
}

/// What a certificate is to say.
struct Wanted(CertificateParams);

impl Wanted {
    /// `names` are lists of addresses and of host names.
    fn of(world: &World<'_>, name: &Value, days: &Value, names: Option<[&Value; 2]>) -> Result<Self, Failure> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, plain(name));
        if let Some([addresses, hosts]) = names {
            // Addresses are looked at first and written last.
            let addresses = entries(addresses).iter().map(address).collect::<Result<Vec<_>, _>>()?;
            let hosts = entries(hosts).iter().map(host).collect::<Result<Vec<_>, _>>()?;
            params.subject_alt_names.extend(hosts.into_iter().map(SanType::DnsName));
            params.subject_alt_names.extend(addresses.into_iter().map(SanType::IpAddress));
        }
        let begins = now(world)?.timestamp().as_second();
        let lasts = int(std::slice::from_ref(days), 0).saturating_mul(SECONDS_PER_DAY);
        let [from, until] = [begins, begins.saturating_add(lasts)].map(|second| {
            let second = u64::try_from(second).ok().filter(|_| second <= LAST);
            second.map(|second| date_time_ymd(1970, 1, 1) + Duration::from_secs(second))
        });
        let (Some(from), Some(until)) = (from, until) else {
            return Err("error creating certificate: asn1: cannot represent time as GeneralizedTime".into());
        };
        (params.not_before, params.not_after) = (from, until);
        params.serial_number = Some(SerialNumber::from(random(world, 16)?));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Ok(Self(params))
    }

    /// The same for who may sign others.
    fn for_authority(mut self) -> Self {
        self.0.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.0.key_usages.push(KeyUsagePurpose::KeyCertSign);
        self
    }

    fn signed_by_itself(&self, key: &Key) -> Result<Value, Failure> {
        made(self.0.self_signed(&key.pair), key)
    }

    /// `authority` is a certificate as templates see it.
    fn signed_by(mut self, authority: &Value, key: &Key) -> Result<Value, Failure> {
        let Value::Struct(authority) = authority else { return Err("unable to decode certificate".into()) };
        let part = |name: &str| authority.field(name).map(plain).unwrap_or_default();
        let block = block(&part("Cert"))?;
        let signer = Key::read(&part("Key")).map_err(|failure| failure.wrapped("error parsing private key"))?;
        self.0.use_authority_key_identifier_extension = true;
        made(self.0.signed_by(&key.pair, &issuer(block, signer)?), key)
    }
}

fn made(certificate: Result<Certificate, rcgen::Error>, key: &Key) -> Result<Value, Failure> {
    let certificate = certificate.map_err(|error| format!("error creating certificate: {error}"))?;
    Ok(shown(&written("CERTIFICATE", certificate.der().to_vec()), &key.pem))
}

fn entries(list: &Value) -> &[Value] {
    match list {
        Value::List(list) => &list.items,
        _ => &[],
    }
}

fn address(given: &Value) -> Result<IpAddr, Failure> {
    match given {
        Value::Text(text) => text.parse().map_err(|_| format!("error parsing ip: {text}").into()),
        other => Err(format!("error parsing ip: {} is not a string", plain(other)).into()),
    }
}

fn host(given: &Value) -> Result<Ia5String, Failure> {
    match given {
        Value::Text(text) => Ia5String::try_from(&**text).map_err(|_| {
            let words = format!("error creating certificate: x509: {} cannot be encoded as an IA5String", quote(text));
            words.into()
        }),
        other => Err(format!("error processing alternate dns name: {} is not a string", plain(other)).into()),
    }
}
