using Xunit;

namespace Failover.Testing;

/// <summary>One engine for all tests of a class; each has a table of its own.</summary>
public abstract class SharedEngine(Func<Task<TestEngine?>> start) : IAsyncLifetime
{
    /// <summary>Null where this machine has none.</summary>
    public TestEngine? Engine { get; private set; }

    public async ValueTask InitializeAsync() => Engine = await start();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Engine is not null)
        {
            await Engine.DisposeAsync();
        }
    }
}

/// <summary>The engine that LocalHost runs.</summary>
public sealed class DynoxideEngine() : SharedEngine(async () => await TestEngine.StartAsync());

/// <summary>AWS's own DynamoDB Local, where it is installed.</summary>
public sealed class DynamoDbLocalEngine() : SharedEngine(async () => Peer.DynamoDbLocal() is { } command ? await TestEngine.StartAsync(command) : null);
