/// A label of Istio's standard metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Reporter,
    SourceWorkload,
    SourceWorkloadNamespace,
    SourcePrincipal,
    SourceApp,
    SourceVersion,
    SourceCanonicalService,
    SourceCanonicalRevision,
    SourceCluster,
    DestinationWorkload,
    DestinationWorkloadNamespace,
    DestinationPrincipal,
    DestinationApp,
    DestinationVersion,
    DestinationService,
    DestinationServiceName,
    DestinationServiceNamespace,
    DestinationCanonicalService,
    DestinationCanonicalRevision,
    DestinationCluster,
    RequestProtocol,
    ResponseFlags,
    ConnectionSecurityPolicy,
    ResponseCode,
    GrpcResponseStatus,
}

// === impl Label ===

impl Label {
    /// All, in Istio's order: the first 20 tell who and whom, and have no need of an answer; the first 23 are those of a connection.
    pub(crate) const ALL: [(Self, &str); 25] = {
        use Label::*;
        [
            (Reporter, "reporter"),
            (SourceWorkload, "source_workload"),
            (SourceWorkloadNamespace, "source_workload_namespace"),
            (SourcePrincipal, "source_principal"),
            (SourceApp, "source_app"),
            (SourceVersion, "source_version"),
            (SourceCanonicalService, "source_canonical_service"),
            (SourceCanonicalRevision, "source_canonical_revision"),
            (SourceCluster, "source_cluster"),
            (DestinationWorkload, "destination_workload"),
            (DestinationWorkloadNamespace, "destination_workload_namespace"),
            (DestinationPrincipal, "destination_principal"),
            (DestinationApp, "destination_app"),
            (DestinationVersion, "destination_version"),
            (DestinationService, "destination_service"),
            (DestinationServiceName, "destination_service_name"),
            (DestinationServiceNamespace, "destination_service_namespace"),
            (DestinationCanonicalService, "destination_canonical_service"),
            (DestinationCanonicalRevision, "destination_canonical_revision"),
            (DestinationCluster, "destination_cluster"),
            (RequestProtocol, "request_protocol"),
            (ResponseFlags, "response_flags"),
            (ConnectionSecurityPolicy, "connection_security_policy"),
            (ResponseCode, "response_code"),
            (GrpcResponseStatus, "grpc_response_status"),
        ]
    };
}
