using Failover.ControlPlane;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck.Probing;

/// <summary>What DigitalOcean says of a load balancer.</summary>
/// <param name="Status"><c>new</c>, <c>active</c> or <c>errored</c>.</param>
/// <param name="Droplets">How many droplets stand behind it by name; 0 where they are chosen by tag.</param>
/// <param name="OffDroplets">How many of them are known to be switched off.</param>
public sealed record LoadBalancerState(string Status, int Droplets, int OffDroplets)
{
    /// <summary>Whether it cannot serve, whatever a probe just saw.</summary>
    public bool IsBroken => Status == "errored" || (Droplets > 0 && OffDroplets == Droplets);

    /// <summary>What a probe saw through it: a balancer that is broken, or has no droplet behind it, serves nobody, though a last connection may still be answered.</summary>
    public ProbeResult Judge(ProbeResult probe) => probe with { Ok = probe.Ok && !IsBroken, Detail = $"{probe.Detail}; {this}" };

    /// <inheritdoc/>
    public override string ToString() => Droplets == 0 ? $"load balancer {Status}" : $"load balancer {Status}, {OffDroplets} of {Droplets} droplets off";
}

/// <summary>
/// Asks DigitalOcean for load balancers and their droplets. Its limit is 5000 requests an hour and account, so a process asks twice a minute and believes what it heard until then;
/// an API that is slow, busy or away says nothing, and nothing follows from it: the probe is the witness.
/// </summary>
/// <param name="timeout">All of it must be heard within so long, for the tick waits for it.</param>
public sealed class LoadBalancers(DigitalOceanAccess access, TimeSpan timeout, TimeProvider time, ILogger<LoadBalancers> logger)
{
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(30);

    private Heard? _last;

    /// <summary>The states of those ids that the API told; one that it did not is missing.</summary>
    public async Task<IReadOnlyDictionary<string, LoadBalancerState>> AskAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0)
        {
            return new Dictionary<string, LoadBalancerState>();
        }

        var last = _last;
        if (last is null || time.GetElapsedTime(last.Timestamp) >= Believed)
        {
            using var deadline = cancellationToken.Within(timeout);
            last = new Heard(time.GetTimestamp(), await HearAsync(ids, deadline.Token, cancellationToken));
            _last = last;
        }

        return last.States;
    }

    private async Task<Dictionary<string, LoadBalancerState>> HearAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken, CancellationToken ticks)
    {
        try
        {
            // By id the official client answers an empty object; so all are listed.
            var balancers = (await access.CallAsync(client => client.LoadBalancers.GetAll(), cancellationToken)).Where(balancer => balancer.Id is { } id && ids.Contains(id)).ToList();

            // Each by its id: a list is long, comes in pages, and leaves some kinds out.
            var droplets = balancers.SelectMany(balancer => balancer.DropletIds ?? []).Distinct().ToList();
            var statuses = await Task.WhenAll(droplets.Select(id => StatusAsync(id, cancellationToken)));
            var off = droplets.Where((_, i) => statuses[i] == "off").ToHashSet();
            return balancers.ToDictionary(
                balancer => balancer.Id!,
                balancer => new LoadBalancerState(balancer.Status ?? "unknown", balancer.DropletIds?.Count ?? 0, balancer.DropletIds?.Count(off.Contains) ?? 0));
        }
        catch (Exception error) when (!ticks.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Asking DigitalOcean for load balancers", error);
            return [];
        }
    }

    private async Task<string?> StatusAsync(long droplet, CancellationToken cancellationToken)
    {
        try
        {
            return (await access.CallAsync(client => client.Droplets.Get(droplet), cancellationToken)).Status;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Asking DigitalOcean for a droplet", error);
            return null;
        }
    }

    private sealed record Heard(long Timestamp, Dictionary<string, LoadBalancerState> States);
}
