//! Passwords: hashed, derived, and used to encrypt.
//!
//! What is random comes out of what was handed in. Sources: sprig 3.3.0, `crypto.go`.

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::encoding::unbase64;
use super::math::random;
use super::{bytes, fixed, int, text};
use crate::execute::{Failure, Function, Param, World};
use crate::value::Value;

const TEXT: Param = Param::Text;

/// How many steps one of these slow functions counts for.
const SLOW: usize = 5_000;
/// `bcrypt.DefaultCost` of Go.
const COST: u32 = 10;
/// The size of a block of AES.
const BLOCK: usize = 16;
const SEED: &[u8] = b"com.lyndir.masterpassword";

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("bcrypt", &[TEXT], |world, args| bcrypted(world, &bytes(args, 0)).map(Value::text)),
        fixed("htpasswd", &[TEXT, TEXT], |world, args| {
            let user = text(args, 0);
            if user.contains(':') {
                return Ok(Value::text(format!("invalid username: {user}")));
            }
            Ok(Value::text(format!("{user}:{}", bcrypted(world, &bytes(args, 1))?)))
        }),
        fixed("derivePassword", &[Param::Unsigned, TEXT, TEXT, TEXT, TEXT], |world, args| {
            world.step(SLOW)?;
            let counter = u32::try_from(int(args, 0)).unwrap_or(u32::MAX);
            let [password, user, site] = [2, 3, 4].map(|at| bytes(args, at));
            Ok(Value::text(derived(counter, &text(args, 1), [&password, &user, &site])))
        }),
        fixed("encryptAES", &[TEXT, TEXT], |world, args| {
            let plain = bytes(args, 1);
            if plain.is_empty() {
                return Ok(Value::text(""));
            }
            world.step(plain.len() / 64)?;
            world.take(plain.len() * 2)?;
            let start: [u8; BLOCK] = random(world, BLOCK)?.try_into().unwrap_or_default();
            let mut block = vec![0; plain.len() + BLOCK];
            let sealed = cbc::Encryptor::<Aes256>::new(&secret(&bytes(args, 0)).into(), &start.into())
                .encrypt_padded_b2b::<Pkcs7>(&plain, &mut block)
                .map_err(|_| "crypto/cipher: output smaller than input")?;
            Ok(Value::text(STANDARD.encode([&start, sealed].concat())))
        }),
        fixed("decryptAES", &[TEXT, TEXT], |world, args| {
            let sealed = bytes(args, 1);
            if sealed.is_empty() {
                return Ok(Value::text(""));
            }
            world.step(sealed.len() / 64)?;
            let sealed = unbase64(&sealed)?;
            opened(&secret(&bytes(args, 0)), &sealed).map(|plain| Value::bytes_as_text(&plain))
        }),
    ]
}

/// The first 32 bytes of a password, which are the key.
fn secret(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    for (slot, byte) in key.iter_mut().zip(password) {
        *slot = *byte;
    }
    key
}

fn opened(key: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, Failure> {
    let Some((start, sealed)) = sealed.split_first_chunk::<BLOCK>() else {
        return Err("it is too short to have been encrypted".into());
    };
    let mut plain = sealed.to_vec();
    cbc::Decryptor::<Aes256>::new(&(*key).into(), &(*start).into())
        .decrypt_padded::<NoPadding>(&mut plain)
        .map_err(|_| "crypto/cipher: input not full blocks")?;
    // As sprig does it: the last byte says how many to leave off, whatever they are.
    let padding = plain.last().copied().map_or(0, usize::from);
    let length = plain.len().checked_sub(padding).filter(|_| padding > 0);
    let Some(length) = length else { return Err("the password is not the one it was encrypted with".into()) };
    plain.truncate(length);
    Ok(plain)
}

fn bcrypted(world: &World<'_>, password: &[u8]) -> Result<String, Failure> {
    world.step(SLOW)?;
    let salt: [u8; 16] = random(world, 16)?.try_into().unwrap_or_default();
    // Go refuses what bcrypt would cut off, and sprig answers with the refusal.
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned());
    }
    let parts = bcrypt::hash_with_salt(password, COST, salt).map_err(|error| error.to_string())?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}

/// The password that the Master Password algorithm makes of another, a user and a site.
fn derived(counter: u32, sort: &str, [password, user, site]: [&[u8]; 3]) -> String {
    let Some((_, templates)) = TEMPLATES.iter().find(|(name, _)| *name == sort) else {
        return format!("cannot find password template {sort}");
    };
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SEED, &length(user), user].concat();
    let mut key = [0; 64];
    let made = scrypt::Params::new(15, 8, 2).map(|params| scrypt::scrypt(password, &salt, &params, &mut key));
    let Ok(Ok(())) = made else { return "failed to derive password".to_owned() };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key has any length");
    for part in [SEED, &length(site), site, &counter.to_be_bytes()] {
        mac.update(part);
    }
    let seed = mac.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let chosen = template.bytes().zip(&seed[1..]).map(|(class, byte)| {
        let letters = class_of(class);
        char::from(letters[usize::from(*byte) % letters.len()])
    });
    chosen.collect()
}

/// What a letter of a template stands for.
fn class_of(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The templates of each sort of password.
const TEMPLATES: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];
