namespace DigitalOcean.API.Models.Responses;

public class DomainRecord
{
    public long Id { get; set; }

    public string? Type { get; set; }

    public string? Name { get; set; }

    public string? Data { get; set; }

    public int? Priority { get; set; }

    public int? Port { get; set; }

    public int? Ttl { get; set; }

    public int? Weight { get; set; }

    public int? Flags { get; set; }

    public string? Tag { get; set; }
}

public class LoadBalancer
{
    public string? Id { get; set; }

    public string? Name { get; set; }

    public string? Algorithm { get; set; }

    public string? Status { get; set; }

    public string? CreatedAt { get; set; }

    public string? Tag { get; set; }

    public List<long>? DropletIds { get; set; }

    public bool RedirectHttpToHttps { get; set; }

    public bool EnableProxyProtocol { get; set; }

    public string? VpcUuid { get; set; }
}

public class Droplet
{
    public long Id { get; set; }

    public string? Name { get; set; }

    public bool Locked { get; set; }

    public string? Status { get; set; }

    public List<string>? Tags { get; set; }
}

public class Action
{
    public long Id { get; set; }

    public string? Status { get; set; }

    public string? Type { get; set; }

    public long? ResourceId { get; set; }
}

public class Error
{
    public string? Id { get; set; }

    public string? Message { get; set; }
}
