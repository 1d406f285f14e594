namespace Failover.LocalHost.Aws;

/// <summary>A queue of a region, by its address.</summary>
internal sealed class NamedQueue(string root, string name, TimeProvider time)
{
    /// <summary>The name of the queue of ticks.</summary>
    public const string Ticks = "ticks";

    /// <summary>The name of the audit's queue.</summary>
    public const string Audit = "audit";

    public string Name => name;

    public string Url { get; } = root + name;

    public SqsQueue Queue { get; } = new(time);
}
