using Failover.ControlPlane.Topologies;

namespace Failover.LocalHost;

/// <summary>What the command line asks for.</summary>
/// <param name="Interval">The length of a tick's slot.</param>
/// <param name="Lag">How late replication delivers.</param>
/// <param name="StableMinutes">How long an endpoint must have been up before a move back.</param>
/// <param name="Engine">The command that starts a DynamoDB engine, with <c>{port}</c> in it; null: the one that came with the build.</param>
/// <param name="Lever">How the first service is moved.</param>
/// <param name="MetricPeriod">How long a metric's period is, for the lever <c>switch</c>: 60 s on AWS.</param>
/// <param name="WriteMode">The item API's: <c>ActiveActive</c> or <c>ActivePassive</c>.</param>
/// <param name="Services">How many services are guarded, 1 to 3.</param>
public sealed record WorldOptions(
    Ports Ports, TimeSpan Interval, TimeSpan Lag, double StableMinutes, string? Engine, Lever Lever, TimeSpan MetricPeriod, string WriteMode, int Services);
