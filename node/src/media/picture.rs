//! Avatars and icons: what somebody sends as a `data:` URL is decoded within limits and written anew as a PNG of at most
//! [`limits::IMAGE_KEPT_PIXELS`]. So nothing of the file itself is ever delivered: no metadata, no second file hidden in
//! it. Of an animation the first picture stays.
//!
//! Source: <https://discord.com/developers/docs/reference#image-data>

use std::io::{Cursor, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};
use rookery_protocol::command::Answer;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use sha2::{Digest, Sha256};

use super::upload::{move_to, run};
use super::{Album, Media, disk_failed};
use crate::limit::Quota;

/// Bytes that an image may have while it is decoded: 24 million pixels, a photograph of today.
pub const DECODED_BYTES: u64 = 96 * 1_024 * 1_024;

/// Hexadecimal digits of a hash.
const HASH_CHARS: usize = 32;

/// What is wrong with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is none, or none that is taken.
    Invalid,
    /// Too many bytes.
    TooLarge,
    /// Too many pixels.
    TooManyPixels,
}

impl Fault {
    fn at(self, field: &str) -> ApiError {
        match self {
            Self::Invalid => ApiError::field(field, "IMAGE_INVALID", "Invalid image."),
            Self::TooLarge => {
                let kb = limits::IMAGE_BYTES / 1_024;
                let message = format!("File cannot be larger than {kb} kb.");
                ApiError::field(field, "BINARY_TYPE_MAX_SIZE", message)
            }
            Self::TooManyPixels => {
                let most = limits::IMAGE_PIXELS;
                let message = format!("Image cannot be larger than {most} x {most} pixels.");
                ApiError::field(field, "IMAGE_TOO_LARGE", message)
            }
        }
    }
}

/// Whether a text is the hash of an image.
pub fn is_hash(text: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == HASH_CHARS && text.bytes().all(is_digit)
}

impl Media {
    /// What a form says of an image: absent leaves it, null takes it away, and a `data:` URL is kept and becomes its hash.
    /// `quota` limits how often an album gets another image.
    ///
    /// # Errors
    /// `InvalidFormBody` on `field`; the disk fails.
    #[allow(clippy::option_option, reason = "the shape of every patch command")]
    pub async fn change_image(
        &self,
        album: Album,
        field: &str,
        patch: Option<Option<String>>,
        quota: Option<Quota>,
        now: Millis,
    ) -> Answer<Option<Option<String>>> {
        let url = match patch {
            None => return Ok(None),
            Some(None) => return Ok(Some(None)),
            Some(Some(url)) => url,
        };
        if let Some(quota) = quota
            && !self.0.image_changes.take(album, quota, now).is_allowed
        {
            let message = "You are changing your image too fast. Try again later.";
            return Err(ApiError::field(field, "AVATAR_RATE_LIMIT", message));
        }
        let hash = self.keep_image(album, field, url).await?;
        Ok(Some(Some(hash)))
    }

    async fn keep_image(&self, album: Album, field: &str, url: String) -> Answer<String> {
        let place = Arc::clone(&self.0.decoders).acquire_owned().await;
        let place = place.map_err(|_| ErrorCode::Busy)?;
        // The place goes with the work: a client that hangs up stops no decoder.
        let work = tokio::task::spawn_blocking(move || {
            let png = convert(&url);
            drop(place);
            png
        });
        // A decoder that panics has found no image.
        let png = work.await.unwrap_or(Err(Fault::Invalid));
        let png = png.map_err(|fault| fault.at(field))?;
        let hash = hash(&png);
        let place = self.image(album, &hash);
        let settled = place.clone();
        let temporary = self.temporary().join(format!("{hash}-{:x}", rand_name()));
        let written = run(move || {
            if let Some(folder) = temporary.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut file = std::fs::File::create_new(&temporary)?;
            file.write_all(&png)?;
            file.sync_all()?;
            move_to(&temporary, &place)
        });
        written.await.map_err(|error| disk_failed(&error))?;
        self.share(&settled).await?;
        Ok(hash)
    }
}

fn rand_name() -> u64 {
    u64::from_be_bytes(crate::random::bytes())
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut text = String::with_capacity(HASH_CHARS);
    for byte in &digest[..HASH_CHARS / 2] {
        use std::fmt::Write as _;
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The PNG of an image in a `data:` URL; what type the URL names does not matter.
fn convert(url: &str) -> Result<Vec<u8>, Fault> {
    let rest = url.strip_prefix("data:").ok_or(Fault::Invalid)?;
    let (_, encoded) = rest.split_once(";base64,").ok_or(Fault::Invalid)?;
    if encoded.len() > limits::IMAGE_BYTES.div_ceil(3) * 4 {
        return Err(Fault::TooLarge);
    }
    let decoded = STANDARD.decode(encoded);
    let bytes = decoded.or_else(|_| STANDARD_NO_PAD.decode(encoded));
    let bytes = bytes.map_err(|_| Fault::Invalid)?;
    if bytes.len() > limits::IMAGE_BYTES {
        return Err(Fault::TooLarge);
    }
    encode(decode(&bytes)?)
}

/// Decodes within the limits, turned as a camera says.
fn decode(bytes: &[u8]) -> Result<DynamicImage, Fault> {
    let invalid = |_| Fault::Invalid;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| Fault::Invalid)?;
    let taken = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ];
    if !reader
        .format()
        .is_some_and(|format| taken.contains(&format))
    {
        return Err(Fault::Invalid);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(invalid)?;
    let (width, height) = decoder.dimensions();
    let most = limits::IMAGE_PIXELS;
    if width > most || height > most || decoder.total_bytes() > DECODED_BYTES {
        return Err(Fault::TooManyPixels);
    }
    if width == 0 || height == 0 {
        return Err(Fault::Invalid);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(invalid)?;
    let kept = limits::IMAGE_KEPT_PIXELS;
    let mut image = if width > kept || height > kept {
        image.thumbnail(kept, kept)
    } else {
        image
    };
    image.apply_orientation(orientation);
    Ok(image)
}

/// The image as a PNG without anything but its pixels.
fn encode(image: DynamicImage) -> Result<Vec<u8>, Fault> {
    let mut png = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive);
    let written = if image.color().has_alpha() {
        let image = image.into_rgba8();
        let (width, height) = image.dimensions();
        encoder.write_image(&image, width, height, image::ExtendedColorType::Rgba8)
    } else {
        let image = image.into_rgb8();
        let (width, height) = image.dimensions();
        encoder.write_image(&image, width, height, image::ExtendedColorType::Rgb8)
    };
    written.map_err(|_| Fault::Invalid)?;
    Ok(png)
}

/// Avatars of those who have none: a colour each, as on Discord.
pub fn default_avatar(number: usize) -> Option<Vec<u8>> {
    const COLOURS: [[u8; 3]; 6] = [
        [0x58, 0x65, 0xf2],
        [0x74, 0x7f, 0x8d],
        [0x3b, 0xa5, 0x5d],
        [0xfa, 0xa6, 0x1a],
        [0xed, 0x42, 0x45],
        [0xeb, 0x45, 0x9f],
    ];
    let colour = image::Rgb(*COLOURS.get(number)?);
    let image = image::RgbImage::from_pixel(128, 128, colour);
    encode(image.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::DECODERS;
    use futures_util::FutureExt;
    use image::{GenericImageView, Rgba, RgbaImage};
    use tokio::runtime::Builder;

    fn url(bytes: &[u8]) -> String {
        format!("data:image/png;base64,{}", STANDARD.encode(bytes))
    }

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = RgbaImage::from_pixel(width, height, Rgba([200, 30, 30, 255]));
        let mut bytes = Vec::new();
        DynamicImage::from(image)
            .to_rgb8()
            .write_to(&mut Cursor::new(&mut bytes), format)
            .unwrap();
        bytes
    }

    #[test]
    fn images_are_written_anew_and_small() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let png = convert(&url(&picture(900, 300, format))).unwrap();
            let image = image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap();
            assert_eq!(image.dimensions(), (512, 171), "{format:?}");
            let small = convert(&url(&picture(3, 2, format))).unwrap();
            let image = image::load_from_memory(&small).unwrap();
            assert_eq!(image.dimensions(), (3, 2), "not blown up");
        }
        let png = convert(&url(&picture(3, 2, ImageFormat::Png))).unwrap();
        assert!(is_hash(&hash(&png)));
        assert_eq!(hash(&png), hash(&png));
    }

    #[test]
    fn what_is_hidden_behind_an_image_is_gone() {
        let payload = b"<html><script>alert(1)</script></html>";
        for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::Jpeg] {
            let mut polyglot = picture(8, 8, format);
            polyglot.extend_from_slice(payload);
            let png = convert(&url(&polyglot)).unwrap();
            assert!(!png.windows(8).any(|window| window == b"<script>"));
        }
        // A GIF whose size reads as the start of a comment: what GIF+JS begins with.
        let mut script = b"GIF89a/*\x01\0\x80\0\0".to_vec();
        script.extend_from_slice(b"*/=1;alert(1)//");
        assert!(convert(&url(&script)).is_err());
    }

    /// A PNG header that claims a size, with hardly any data behind it.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = picture(1, 1, ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn what_is_no_image_or_too_much_of_one_is_refused() {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
        let whole = picture(64, 64, ImageFormat::Png);
        let bmp = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0";
        for bytes in [
            &b""[..],
            svg,
            bmp,
            b"<!doctype html>",
            &whole[..whole.len() / 2],
            &whole[..20],
        ] {
            assert_eq!(convert(&url(bytes)), Err(Fault::Invalid));
        }
        for text in [
            "",
            "x",
            "data:image/png;base64",
            "data:image/png;base64,%%%",
            "https://a.example/b.png",
        ] {
            assert_eq!(convert(text), Err(Fault::Invalid));
        }
        // A bomb: solid pixels that pack well. 8,000 x 8,000 is within the sides but not within the memory.
        for (width, height) in [(8_193, 1), (1, 8_193), (8_000, 8_000), (u32::MAX >> 1, 2)] {
            let refused = convert(&url(&claiming(width, height))).unwrap_err();
            assert!(
                refused != Fault::TooLarge,
                "{width} x {height}: {refused:?}"
            );
        }
        assert_eq!(
            convert(&url(&claiming(8_000, 8_000))),
            Err(Fault::TooManyPixels)
        );
        let large = vec![0; limits::IMAGE_BYTES + 1];
        assert_eq!(convert(&url(&large)), Err(Fault::TooLarge));
    }

    #[test]
    fn everybody_has_a_default_avatar() {
        for number in 0..6 {
            let png = default_avatar(number).unwrap();
            assert!(image::load_from_memory(&png).is_ok() && png.len() < 4_096);
        }
        assert!(default_avatar(6).is_none());
    }

    #[tokio::test]
    async fn an_image_is_kept_under_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::open(folder.path().to_owned(), None, 1).await;
        let album = Album::Avatar(rookery_protocol::ids::UserId(7));
        let change = |patch| media.change_image(album, "avatar", patch, None, Millis(1));
        assert_eq!(change(None).await, Ok(None));
        assert_eq!(change(Some(None)).await, Ok(Some(None)));
        let image = url(&picture(4, 4, ImageFormat::Gif));
        let hash = change(Some(Some(image.clone()))).await.unwrap();
        let hash = hash.flatten().unwrap();
        assert!(is_hash(&hash) && media.image(album, &hash).is_file());
        let again = change(Some(Some(image))).await.unwrap();
        assert_eq!(again, Some(Some(hash)));
        let refusal = change(Some(Some("x".to_owned()))).await.unwrap_err();
        assert_eq!(refusal.fields[0].path, "avatar");
        for bad in ["", "../../etc/passwd", &"g".repeat(32), &"A".repeat(32)] {
            assert!(!is_hash(bad));
        }
    }

    #[test]
    fn who_hangs_up_frees_no_decoder() {
        let one_thread = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        one_thread.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let media = Media::open(folder.path().to_owned(), None, 1).await;
            let (release, held) = std::sync::mpsc::channel();
            let thread = tokio::task::spawn_blocking(move || held.recv());
            let album = Album::Avatar(rookery_protocol::ids::UserId(7));
            let image = url(&picture(4, 4, ImageFormat::Png));
            let change = media.change_image(album, "avatar", Some(Some(image)), None, Millis(1));
            assert!(change.now_or_never().is_none(), "no thread is free");
            let free = || media.0.decoders.available_permits();
            assert_eq!(free(), DECODERS - 1, "it is still to be decoded");
            release.send(()).unwrap();
            thread.await.unwrap().unwrap();
            let all = u32::try_from(DECODERS).unwrap();
            drop(media.0.decoders.acquire_many(all).await.unwrap());
            assert_eq!(free(), DECODERS);
        });
    }
}
