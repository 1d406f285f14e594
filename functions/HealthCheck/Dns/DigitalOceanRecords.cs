using System.Net;
using DigitalOcean.API.Exceptions;
using DigitalOcean.API.Models.Requests;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Listed = DigitalOcean.API.Models.Responses.DomainRecord;

namespace Failover.HealthCheck.Dns;

/// <summary>
/// The <c>records</c> lever on DigitalOcean. Nothing there can be conditional: the register is the only fence, so a late writer can win for a moment, and every tick converges.
/// Records are changed in place by their id, so the name is never without one; the state TXT comes last. It promises less than Route 53, and docs/two-levers.md says so.
/// </summary>
public sealed class DigitalOceanRecords(DigitalOceanAccess access) : IDnsProvider
{
    private static readonly string[] AddressTypes = ["A", "AAAA", "CNAME"];

    /// <inheritdoc/>
    public async Task<Listing> ListAsync(Service service, CancellationToken cancellationToken)
    {
        try
        {
            return ListingOf(service, await RecordsAsync(service, cancellationToken));
        }
        catch (ApiException busy) when (busy.StatusCode == HttpStatusCode.TooManyRequests)
        {
            throw new ProviderBusyException("DigitalOcean throttles", busy);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ApiException">DigitalOcean refuses it: a permission, a domain.</exception>
    public async Task<ApplyAnswer> ApplyAsync(Service service, Plan plan, Listing listed, CancellationToken cancellationToken)
    {
        if (plan.Sets.Count == 0)
        {
            throw new InvalidOperationException($"Plan {plan.Id} has no address set: the name would be empty.");
        }

        try
        {
            var records = await RecordsAsync(service, cancellationToken);
            if (!ListingOf(service, records).IsSameAs(listed))
            {
                return new ApplyAnswer(ApplyOutcome.Refused, "the records are not as listed");
            }

            foreach (var set in plan.Sets)
            {
                await ReplaceAsync(service, set, [.. records.Where(record => record.Type == set.Type && record.Name == Relative(service, set.Name))], cancellationToken);
            }

            // A type that the plan has no longer would go on answering what was left.
            await DeleteAsync(
                service, records.Where(record => AddressTypes.Contains(record.Type) && record.Name == Relative(service, service.Name) && plan.Sets.All(set => set.Type != record.Type)), cancellationToken);
            await ReplaceAsync(service, plan.Txt, [.. records.Where(record => record.Type == "TXT" && record.Name == Relative(service, plan.Txt.Name))], cancellationToken);

            return ListingOf(service, await RecordsAsync(service, cancellationToken)).IsSameAs(new Listing(plan.Sets, plan.Txt))
                ? new ApplyAnswer(ApplyOutcome.Applied)
                : new ApplyAnswer(ApplyOutcome.Refused, "what DigitalOcean lists after the change is not the plan");
        }
        catch (ApiException busy) when (busy.StatusCode == HttpStatusCode.TooManyRequests || busy.Message.Contains("previous action", StringComparison.OrdinalIgnoreCase))
        {
            return new ApplyAnswer(ApplyOutcome.Busy);
        }
        catch (ApiException gone) when (gone.StatusCode == HttpStatusCode.NotFound)
        {
            // Somebody else removed it meanwhile.
            return new ApplyAnswer(ApplyOutcome.Refused, gone.Message);
        }
        catch (Exception error) when (error is not ApiException { StatusCode: < HttpStatusCode.InternalServerError } && !cancellationToken.IsCancellationRequested)
        {
            return new ApplyAnswer(ApplyOutcome.Unknown);
        }
    }

    /// <inheritdoc/>
    /// <remarks>DigitalOcean has no batch that could be refused whole, so nothing is tried: rights to read are asked, and types that exclude each other found. A token that may only read is not.</remarks>
    public async Task<string?> RefusalOfAsync(Service service, Plan present, Plan plan, CancellationToken cancellationToken)
    {
        try
        {
            return RecordBatch.Conflict(plan, (await RecordsAsync(service, cancellationToken)).Where(record => record.Name == Relative(service, service.Name) && !AddressTypes.Contains(record.Type)).Select(record => record.Type!));
        }
        catch (ApiException busy) when (busy.StatusCode == HttpStatusCode.TooManyRequests)
        {
            throw new ProviderBusyException("DigitalOcean throttles", busy);
        }
        catch (ApiException refused) when (refused.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError)
        {
            return $"{(int)refused.StatusCode}: {refused.Message}";
        }
    }

    /// <summary>Changes in place what is too much into what is missing; only what is left over is made or removed, and made first.</summary>
    private async Task ReplaceAsync(Service service, RecordSet set, IReadOnlyList<Listed> there, CancellationToken cancellationToken)
    {
        // Of records that say the same, everybody keeps the oldest.
        var kept = set.Values.Select(value => there.OrderBy(record => record.Id).FirstOrDefault(record => IsAs(service, record, set, value))).ToList();
        var missing = set.Values.Where((_, i) => kept[i] is null).ToList();
        var surplus = new Queue<Listed>(there.Where(record => !kept.Contains(record)).OrderBy(record => record.Id));
        foreach (var value in missing)
        {
            var (type, name, data, ttl) = (set.Type, Relative(service, set.Name), set.Type == "CNAME" ? value.TrimEnd('.') + "." : value, (int)set.TtlSeconds!.Value);
            if (surplus.TryDequeue(out var record))
            {
                await access.CallAsync(client => client.DomainRecords.Update(Domain(service), record.Id, new UpdateDomainRecord { Type = type, Name = name, Data = data, Ttl = ttl }), cancellationToken);
            }
            else
            {
                await access.CallAsync(client => client.DomainRecords.Create(Domain(service), new DomainRecord { Type = type, Name = name, Data = data, Ttl = ttl }), cancellationToken);
            }
        }

        await DeleteAsync(service, surplus, cancellationToken);
    }

    private async Task DeleteAsync(Service service, IEnumerable<Listed> records, CancellationToken cancellationToken)
    {
        foreach (var record in records)
        {
            await access.CallAsync(
                async client =>
                {
                    await client.DomainRecords.Delete(Domain(service), record.Id);
                    return true;
                },
                cancellationToken);
        }
    }

    private async Task<IReadOnlyList<Listed>> RecordsAsync(Service service, CancellationToken cancellationToken)
    {
        var records = await access.CallAsync(client => client.DomainRecords.GetAll(Domain(service)), cancellationToken);
        return records.Any(record => record.Id == 0 || record.Type is null)
            ? throw new InvalidOperationException("DigitalOcean answered records without id or type: the answer is broken.")
            : records;
    }

    private static Listing ListingOf(Service service, IReadOnlyList<Listed> records)
    {
        var sets = records.Where(record => AddressTypes.Contains(record.Type) && record.Name == Relative(service, service.Name)).GroupBy(record => record.Type!).Select(group => Set(service.Name, group.Key, group));
        var state = records.Where(record => record.Type == "TXT" && record.Name == Relative(service, service.StateName)).ToList();
        return new Listing([.. sets], state.Count == 0 ? null : Set(service.StateName, "TXT", state));

        // Records of one set may have different times to live here: then it is nobody's plan.
        RecordSet Set(string name, string type, IEnumerable<Listed> records) => new(
            name, type, records.Select(record => record.Ttl).Distinct().Count() == 1 ? records.First().Ttl : null, [.. records.Select(record => DataOf(service, record))]);
    }

    private static bool IsAs(Service service, Listed record, RecordSet set, string value) =>
        record.Ttl == set.TtlSeconds && (set with { Values = [value] }).Holds(DataOf(service, record));

    /// <summary>Of a name that is the domain itself, DigitalOcean answers <c>@</c>.</summary>
    private static string DataOf(Service service, Listed record) => record is { Type: "CNAME", Data: "@" } ? Domain(service) : record.Data ?? "";

    private static string Domain(Service service) => service.DigitalOceanDomain!;

    private static string Relative(Service service, string name) => name == Domain(service) ? "@" : name[..^(Domain(service).Length + 1)];
}
