namespace Failover.LocalHost.Route53;

/// <summary>One change of a batch.</summary>
public sealed record ZoneChange(string Action, ZoneRecordSet Set);
