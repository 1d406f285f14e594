using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck.Probing;

/// <summary>What DigitalOcean says of a load balancer.</summary>
/// <param name="Status"><c>new</c>, <c>active</c> or <c>errored</c>.</param>
/// <param name="Droplets">How many droplets stand behind it by name; 0 where they are chosen by tag.</param>
/// <param name="ActiveDroplets">How many of them are switched on.</param>
public sealed record LoadBalancerState(string Status, int Droplets, int ActiveDroplets)
{
    /// <summary>Whether it cannot serve, whatever a probe just saw.</summary>
    public bool IsBroken => Status == "errored" || (Droplets > 0 && ActiveDroplets == 0);

    /// <inheritdoc/>
    public override string ToString() => Droplets == 0 ? $"load balancer {Status}" : $"load balancer {Status}, {ActiveDroplets} of {Droplets} droplets active";
}

/// <summary>
/// Asks DigitalOcean for load balancers and their droplets. Its limit is 5000 requests an hour and account, so a process asks twice a minute and believes what it heard until then;
/// an API that is slow, busy or away says nothing, and nothing follows from it: the probe is the witness.
/// </summary>
public sealed class LoadBalancers(DigitalOceanAccess access, TimeProvider time, ILogger<LoadBalancers> logger)
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
            last = new Heard(time.GetTimestamp(), await HearAsync(ids, cancellationToken));
            _last = last;
        }

        return last.States;
    }

    private async Task<Dictionary<string, LoadBalancerState>> HearAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        try
        {
            // By id the official client answers an empty object; so all are listed.
            var balancers = (await access.CallAsync(client => client.LoadBalancers.GetAll(), cancellationToken)).Where(balancer => balancer.Id is { } id && ids.Contains(id)).ToList();
            var active = balancers.Any(balancer => balancer.DropletIds is { Count: > 0 })
                ? (await access.CallAsync(client => client.Droplets.GetAll(), cancellationToken)).Where(droplet => droplet.Status == "active").Select(droplet => droplet.Id).ToHashSet()
                : [];
            return balancers.ToDictionary(
                balancer => balancer.Id!,
                balancer => new LoadBalancerState(balancer.Status ?? "unknown", balancer.DropletIds?.Count ?? 0, balancer.DropletIds?.Count(active.Contains) ?? 0));
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Asking DigitalOcean for load balancers", error);
            return [];
        }
    }

    private sealed record Heard(long Timestamp, Dictionary<string, LoadBalancerState> States);
}
