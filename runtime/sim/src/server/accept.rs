//! In which shape a client wants objects: whole, their metadata alone, or as rows of a table.
//!
//! Not known here: how each shape looks.

use crate::status::Status;

/// A shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    /// `PartialObjectMetadata`, or a list of them.
    Metadata,
    /// `Table`, as kubectl prints it.
    Table,
}

/// Reads the `Accept` header: the first entry that can be given.
pub(crate) fn read(header: Option<&str>) -> Result<Shape, Status> {
    let header = header.unwrap_or_default();
    if header.trim().is_empty() {
        return Ok(Shape::Whole);
    }
    header.split(',').find_map(entry).ok_or_else(|| {
        Status::not_acceptable(
            "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )
    })
}

fn entry(entry: &str) -> Option<Shape> {
    let mut parts = entry.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "*/*" | "application/*") {
        return None;
    }
    let mut wanted = None;
    let mut group = None;
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("as", shape)) => wanted = Some(shape),
            Some(("g", named)) => group = Some(named),
            Some(("stream", _)) => return None,
            _ => {}
        }
    }
    match (wanted, group) {
        (None, _) => Some(Shape::Whole),
        (Some("Table"), Some("meta.k8s.io")) => Some(Shape::Table),
        (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io")) => Some(Shape::Metadata),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_shape_that_can_be_given_is_taken() {
        assert_eq!(read(None), Ok(Shape::Whole));
        assert_eq!(read(Some("application/vnd.kubernetes.protobuf,application/json")), Ok(Shape::Whole));
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(read(Some(table)), Ok(Shape::Table));
        let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(read(Some(metadata)), Ok(Shape::Metadata));
        assert!(read(Some("application/vnd.kubernetes.protobuf")).is_err());
        assert_eq!(read(Some("*/*")), Ok(Shape::Whole));
    }
}
