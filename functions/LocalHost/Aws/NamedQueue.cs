namespace Failover.LocalHost.Aws;

/// <summary>A queue of a region, by its address.</summary>
internal sealed class NamedQueue(string root, string name, TimeProvider time)
{
    public string Url { get; } = root + name;

    public SqsQueue Queue { get; } = new(time);
}
