namespace Failover.LocalHost.Route53;

/// <summary>An alias.</summary>
/// <param name="DnsName">With a trailing dot.</param>
public sealed record ZoneAlias(string HostedZoneId, string DnsName, bool EvaluateTargetHealth);
