using System.Net;
using Amazon.Route53;
using Amazon.Route53.Model;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Dns;

/// <summary>
/// The <c>records</c> lever on Route 53. A change batch is all-or-nothing, and a DELETE must match the current values, time to live included;
/// so a batch that deletes exactly what was listed and creates the plan is a compare-and-swap, against other deciders and a human's edit alike.
/// </summary>
public sealed class Route53Records(IAmazonRoute53 route53) : IDnsProvider
{
    private static readonly string[] AddressTypes = ["A", "AAAA", "CNAME", "HTTPS"];

    /// <summary>A name and the names below it have few sets; more than these make the listing fail.</summary>
    private const int SetsMax = 1000;

    /// <summary>The name's address sets and its state TXT.</summary>
    public async Task<Listing> ListAsync(Service service, CancellationToken cancellationToken)
    {
        var sets = await ListBelowAsync(service.HostedZoneId!, service.Name, cancellationToken);
        return new Listing(
            [.. sets.Where(set => set.Name == service.Name && AddressTypes.Contains(set.Type))],
            sets.FirstOrDefault(set => set.Name == service.StateName && set.Type == "TXT"));
    }

    /// <summary>Replaces exactly <paramref name="listed"/> by the plan.</summary>
    /// <exception cref="AmazonRoute53Exception">The provider refuses it for another reason than what is there: a permission, a zone.</exception>
    public async Task<ApplyOutcome> ApplyAsync(Service service, Plan plan, Listing listed, CancellationToken cancellationToken)
    {
        var batch = RecordBatch.Of(plan, listed);
        try
        {
            await route53.ChangeResourceRecordSetsAsync(
                new ChangeResourceRecordSetsRequest
                {
                    HostedZoneId = service.HostedZoneId,
                    ChangeBatch = new ChangeBatch
                    {
                        Comment = $"epoch {plan.Epoch} plan {plan.Id}",
                        Changes = [.. batch.Select(change => new Change { Action = change.IsCreate ? ChangeAction.CREATE : ChangeAction.DELETE, ResourceRecordSet = ToProvider(change.Set) })],
                    },
                },
                cancellationToken);
            return ApplyOutcome.Applied;
        }
        catch (InvalidChangeBatchException)
        {
            return ApplyOutcome.Refused;
        }
        catch (AmazonRoute53Exception busy) when (busy is PriorRequestNotCompleteException || busy.ErrorCode is "Throttling" or "ThrottlingException")
        {
            return ApplyOutcome.Busy;
        }
        catch (Exception error) when (error is not AmazonRoute53Exception { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError })
        {
            return ApplyOutcome.Unknown;
        }
    }

    /// <summary>
    /// The sets of a name and of the names below it. Route 53 lists them together, so that address and state come in one answer, of one moment:
    /// two answers could show the half of somebody's batch, which looks like a foreign hand.
    /// </summary>
    private async Task<List<RecordSet>> ListBelowAsync(string zone, string name, CancellationToken cancellationToken)
    {
        var sets = new List<RecordSet>();
        var request = new ListResourceRecordSetsRequest { HostedZoneId = zone, StartRecordName = name };
        while (true)
        {
            var page = await route53.ListResourceRecordSetsAsync(request, cancellationToken);
            foreach (var set in page.ResourceRecordSets ?? [])
            {
                // Route 53 lists in order of reversed labels, from the name asked for: a name that is not below it is the end.
                if (Plain(set.Name) is var listed && listed != name && !listed.EndsWith("." + name, StringComparison.Ordinal))
                {
                    return sets;
                }

                sets.Add(FromProvider(set));
            }

            if (page.IsTruncated != true)
            {
                return sets;
            }

            if (sets.Count > SetsMax)
            {
                throw new InvalidOperationException($"{name} and the names below it have more than {SetsMax} record sets.");
            }

            (request.StartRecordName, request.StartRecordType, request.StartRecordIdentifier) = (page.NextRecordName, page.NextRecordType, page.NextRecordIdentifier);
        }
    }

    private static RecordSet FromProvider(ResourceRecordSet set) => new(
        Plain(set.Name),
        set.Type?.Value ?? "",
        set.AliasTarget is null ? set.TTL : null,
        // A set with an identifier takes part in routing that this lever does not do: it must never look like one of our plans.
        [.. (set.ResourceRecords ?? []).Select(record => Unquoted(record.Value ?? "")), .. set.SetIdentifier is { } id ? [$"identifier {id}"] : Array.Empty<string>()])
    {
        Alias = set.AliasTarget is { } alias ? new Alias(alias.HostedZoneId ?? "", alias.DNSName ?? "", alias.EvaluateTargetHealth == true) : null,
    };

    private static ResourceRecordSet ToProvider(RecordSet set) => new()
    {
        Name = set.Name + ".",
        Type = set.Type,
        TTL = set.TtlSeconds,
        ResourceRecords = set.Alias is null ? [.. set.Values.Select(value => new ResourceRecord { Value = set.Type == "TXT" ? $"\"{value}\"" : value })] : null,
        AliasTarget = set.Alias is { } alias ? new AliasTarget { HostedZoneId = alias.HostedZoneId, DNSName = alias.DnsName, EvaluateTargetHealth = alias.EvaluateTargetHealth } : null,
    };

    private static string Plain(string? name) => (name ?? "").TrimEnd('.').ToLowerInvariant();

    private static string Unquoted(string value) => value is ['"', .. var text, '"'] && !text.Contains('"', StringComparison.Ordinal) ? text : value;
}
