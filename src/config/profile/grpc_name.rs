//! The statuses of gRPC calls, as they stand in a file.

use crate::config::names::names;
use crate::profile::GrpcCode;

names! {
    /// The name of a gRPC status.
    pub(super) enum GrpcName of GrpcCode {
        Cancelled,
        Unknown,
        InvalidArgument,
        DeadlineExceeded,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        ResourceExhausted,
        FailedPrecondition,
        Aborted,
        OutOfRange,
        Unimplemented,
        Internal,
        Unavailable,
        DataLoss,
        Unauthenticated,
    }
}
