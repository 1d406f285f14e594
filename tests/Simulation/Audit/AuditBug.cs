namespace Failover.Simulation.Audit;

/// <summary>A mistake planted in what surrounds the audit: in what it is told, or in what becomes of what it does.</summary>
internal enum AuditBug
{
    None,

    /// <summary>A peer is believed to hold what its origin holds.</summary>
    AsksTheWrongRegion,

    /// <summary>The write's own region is read eventually, and shows what was there before.</summary>
    ReadsItsOwnRegionLate,

    /// <summary>What is pending is not kept.</summary>
    KeepsNothing,

    /// <summary>What has been asked for once is not asked for again.</summary>
    AsksOnce,

    /// <summary>The stream is read on after a record that failed.</summary>
    PassesFailedRecords,

    /// <summary>Heartbeats are taken from the region that wrote them, so that nothing ever stalls.</summary>
    SeesNoStall,

    /// <summary>What was set aside is never taken up again.</summary>
    ForgetsTheParked,

    /// <summary>What was read of the stream is not remembered.</summary>
    RemembersNothing,

    /// <summary>Some findings are not written.</summary>
    DropsFindings,
}
