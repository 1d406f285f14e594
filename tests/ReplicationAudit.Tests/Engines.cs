using Failover.Testing;

// Each is a Java machine of its own, which takes long to start: once for all classes, and not one beside another for each.
[assembly: AssemblyFixture(typeof(DynamoDbLocalEngine))]
[assembly: AssemblyFixture(typeof(Failover.ReplicationAudit.Tests.SecondDynamoDbLocalEngine))]

namespace Failover.ReplicationAudit.Tests;

/// <summary>Another region's.</summary>
public sealed class SecondDynamoDbLocalEngine() : SharedEngine(async () => Peer.DynamoDbLocal() is { } command ? await TestEngine.StartAsync(command) : null);
